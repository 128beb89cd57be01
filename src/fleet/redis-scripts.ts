/**
 * The scripts of `redisFleet`. Each one works on a single key, the hash of a session, so that it runs on any cluster. Only the
 * server reads the time. Numbers that count are passed on as text, because Redis cuts the fraction off the numbers of a script.
 */

const TIME = `
local key = KEYS[1]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local micros = tonumber(time[1]) * 1000000 + tonumber(time[2])
local function get(...) return redis.call('HMGET', key, ...) end
local function future(at) return at and tonumber(at) > now end
`

/** A server without INFO has the empty text as its name: then no change of it is noticed. */
const SERVER = `
local function server()
  local info = redis.pcall('INFO', 'server')
  return type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
end
`

/** Whether an end covers a session (`endsSession`). */
const ENDS = `
local function ends(id, rotation, startedAt, heldId, heldRotation, heldStartedAt)
  if id == heldId then return tonumber(heldRotation) <= tonumber(rotation) end
  return tonumber(heldStartedAt) < tonumber(startedAt)
end
`

/** Redis refuses a time that is not an integer of 64 bits. */
const EXPIRE = `
local function expire(at, least)
  local time = math.min(math.max(tonumber(at), now + least), 8640000000000000)
  redis.call('PEXPIREAT', key, string.format('%.0f', time))
end
local function keep(time)
  if redis.call('PTTL', key) == -1 then expire(now, time) end
end
`

/** Only a hint: a user of the database may not be allowed to send it. */
const NOTIFY = `
local function notify(channel, message) redis.pcall('PUBLISH', channel, message) end
`

/** → the fields of the session and its age, or nothing */
export const READ = `${TIME}
local s = get('id', 'rotation', 'startedAt', 'until', 'tags', 'box', 'writtenAt')
if not s[1] or not future(s[4]) then return false end
s[7] = string.format('%.0f', now - tonumber(s[7]))
return s
`

/** → when the session or the one that ended started, as text, or nothing */
export const READ_START = `${TIME}
local s = get('id', 'until', 'startedAt', 'endedUntil', 'endedStartedAt')
if s[1] and future(s[2]) then return s[3] end
return future(s[4]) and s[5] or false
`

/**
 * channel, message, id, rotation, startedAt, until, tags, box, whether something is expected, expected id, expected rotation
 *
 * What this server did not see come about may be outdated: it is trusted if a session begins, if the session before was trusted,
 * or if its refresh token was presented on this server.
 */
export const REPLACE = `${TIME}${SERVER}${ENDS}${EXPIRE}${NOTIFY}
local channel, message, id, rotation, startedAt, ends_at, tags, box, expects, expectedId, expectedRotation = unpack(ARGV)
local s = get('id', 'rotation', 'startedAt', 'until', 'server', 'markRotation', 'markServer',
  'endedId', 'endedRotation', 'endedStartedAt', 'endedUntil')
local new = tonumber(rotation)
local mark = tonumber(s[6] or '')
local is_stored = s[1] and future(s[4])
if not is_stored then
  if s[8] and future(s[11]) and ends(s[8], s[9], s[10], id, rotation, startedAt) then return 'gone' end
elseif s[1] == id then
  local held = tonumber(s[2])
  local is_expected = expects == '1' and expectedId == id and tonumber(expectedRotation) == held
  if new < held or (new == held and not is_expected) then return 'newer' end
elseif tonumber(startedAt) <= tonumber(s[3]) then
  return 'newer'
end
local here = server()
local is_trusted = expects == '0' or (is_stored and s[5] == here) or (mark and mark < new and s[7] == here)
if mark and ((is_stored and s[1] ~= id) or mark < new) then
  redis.call('HDEL', key, 'markRotation', 'markOwner', 'markAt', 'markServer')
end
redis.call('HDEL', key, 'endedId', 'endedRotation', 'endedStartedAt', 'endedUntil')
redis.call('HSET', key, 'id', id, 'rotation', rotation, 'startedAt', startedAt, 'until', ends_at, 'tags', tags, 'box', box,
  'writtenAt', string.format('%.0f', now), 'server', is_trusted and here or '?')
expire(ends_at, 60000)
notify(channel, message)
return 'written'
`

/** channel, message, shortest memory, whether an end is given, id, rotation, startedAt → the fields of the session, or nothing */
export const REMOVE = `${TIME}${ENDS}${EXPIRE}${NOTIFY}
local channel, message, memory, given, id, rotation, startedAt = unpack(ARGV)
local s = get('id', 'rotation', 'startedAt', 'until', 'tags', 'box')
local e = get('endedId', 'endedRotation', 'endedStartedAt', 'endedUntil')
local is_stored = s[1] and future(s[4])
if is_stored and given == '1' and not ends(id, rotation, startedAt, s[1], s[2], s[3]) then return false end
redis.call('HDEL', key, 'id', 'rotation', 'startedAt', 'until', 'tags', 'box', 'writtenAt', 'server', 'lastUse',
  'markRotation', 'markOwner', 'markAt', 'markServer')
if is_stored or given == '1' then
  if given ~= '1' then id, rotation, startedAt = s[1], '1e308', '1e308' end
  local ends_at = math.max(is_stored and tonumber(s[4]) or 0, now + tonumber(memory))
  if e[1] and future(e[4]) then
    ends_at = math.max(ends_at, tonumber(e[4]))
    if e[1] == id then
      if tonumber(e[2]) > tonumber(rotation) then rotation = e[2] end
      if tonumber(e[3]) > tonumber(startedAt) then startedAt = e[3] end
    elseif tonumber(e[3]) > tonumber(startedAt) then
      id, rotation, startedAt = e[1], e[2], e[3]
    end
  end
  redis.call('HSET', key, 'endedId', id, 'endedRotation', rotation, 'endedStartedAt', startedAt,
    'endedUntil', string.format('%.17g', ends_at))
  expire(ends_at, 0)
end
notify(channel, message)
return is_stored and s or false
`

/** → how long ago, as text, or nothing */
export const READ_LAST_USE = `${TIME}
local at = redis.call('HGET', key, 'lastUse')
return at and string.format('%.0f', now - tonumber(at))
`

/** how long ago, shortest memory */
export const WRITE_LAST_USE = `${TIME}${EXPIRE}
redis.call('HSET', key, 'lastUse', string.format('%.0f', now - tonumber(ARGV[1])))
keep(tonumber(ARGV[2]))
`

/** owner, lease, the mark that was awaited, shortest memory → `granted`, fence, interrupted, suspect; or `held`, markedAt */
export const ACQUIRE = `${TIME}${SERVER}${EXPIRE}
local owner, lease, awaited, memory = unpack(ARGV)
local s = get('fence', 'owner', 'leaseEnd', 'markRotation', 'markOwner', 'markAt', 'id', 'until', 'server',
  'endedId', 'endedUntil')
local is_foreign = s[5] and s[5] ~= owner
local is_held = future(s[3]) and s[2] ~= owner
if is_held or (is_foreign and s[6] ~= awaited) then return { 'held', is_foreign and s[6] or '' } end
local fence = string.format('%.0f', tonumber(s[1] or '0') + 1)
redis.call('HSET', key, 'fence', fence, 'owner', owner, 'leaseEnd', string.format('%.0f', now + tonumber(lease)))
keep(tonumber(memory))
local is_suspect
if s[7] and future(s[8]) then
  is_suspect = s[9] ~= server()
else
  is_suspect = not (s[10] and future(s[11]))
end
return { 'granted', fence, is_foreign and s[4] or '', is_suspect and '1' or '0' }
`

/** fence, owner, id, rotation, lease → 1 or 0. No two marks have the same microsecond. */
export const PRESENT = `${TIME}${SERVER}
local fence, owner, id, rotation, lease = unpack(ARGV)
local s = get('fence', 'owner', 'id', 'until', 'rotation', 'endedUntil', 'endedStartedAt', 'endedId')
if s[1] ~= fence or s[2] ~= owner then return 0 end
if s[3] and future(s[4]) then
  if s[3] ~= id or tonumber(s[5]) > tonumber(rotation) then return 0 end
elseif future(s[6]) and (s[8] ~= '' or tonumber(s[7]) >= 1e308) then
  return 0
end
redis.call('HSET', key, 'markRotation', rotation, 'markOwner', owner, 'markAt', string.format('%.0f', micros),
  'markServer', server(), 'leaseEnd', string.format('%.0f', now + tonumber(lease)))
return 1
`

/** channel, message, fence, owner, whether the mark is settled */
export const RELEASE = `${NOTIFY}
local key = KEYS[1]
local channel, message, fence, owner, settled = unpack(ARGV)
local s = redis.call('HMGET', key, 'fence', 'owner', 'markOwner')
if s[1] ~= fence or s[2] ~= owner then return 0 end
redis.call('HSET', key, 'leaseEnd', '0', 'owner', '')
if settled == '1' and s[3] == owner then redis.call('HDEL', key, 'markRotation', 'markOwner', 'markAt', 'markServer') end
notify(channel, message)
return 1
`

/**
 * In the sorted set of a tag: until, session key, whether the session is there already. Forgets the sessions whose time has passed.
 *
 * If the memory is full, Redis refuses a script whose first write needs more of it. The answer to a refresh token has to be stored
 * all the same, so it removes something first.
 */
export const ADD_TO_TAG = `${TIME}${EXPIRE}
local function forget() redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now)) end
if ARGV[3] == '1' then forget() end
redis.call('ZADD', key, ARGV[1], ARGV[2])
forget()
local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')
expire(last[2] or ARGV[1], 60000)
`

/** In the sorted set of a tag: until, session key. A session of the same key that was added since stays. */
export const REMOVE_FROM_TAG = `
local score = redis.call('ZSCORE', KEYS[1], ARGV[2])
if score and tonumber(score) == tonumber(ARGV[1]) then redis.call('ZREM', KEYS[1], ARGV[2]) end
`

/** In the sorted set of a tag: cursor → the next cursor, and the keys of some sessions. A set of any size comes in pieces. */
export const READ_TAG = `${TIME}
local reply = redis.call('ZSCAN', key, ARGV[1], 'COUNT', 1000)
local keys = {}
for index = 1, #reply[2], 2 do
  if tonumber(reply[2][index + 1]) > now then keys[#keys + 1] = reply[2][index] end
end
return { reply[1], keys }
`

/** → the tags of a session, or nothing */
export const READ_TAGS_OF = `${TIME}
local s = get('tags', 'until')
return future(s[2]) and s[1] or false
`
