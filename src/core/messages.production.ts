import type { MessageDetails } from './messages.ts'

/** Production builds carry no texts: `session_expired (invalid_grant)`. The docs list what each code means. */
export const messageOf = (code: string, { reason, detail }: MessageDetails = {}): string => {
  const about = reason ?? detail
  return about === undefined ? code : `${code} (${about})`
}
