import { peers } from './peers.ts'
import type { Scenario } from './scenario.ts'
import { scenarios } from './scenarios/index.ts'
import { JOBS, type Peer } from './types.ts'
import type { Row, Verdict } from './verdict.ts'
import type { Environment } from './versions.ts'

/** What the other libraries do better, as far as this page can see. */
const BETTER: Readonly<Record<string, string>> = {
  'axios-auth-refresh':
    'One function to learn, and a small fraction of the size. It has no opinion about tokens: any kind of authorization works. If an app has one tab, short refreshes, and `deduplicateRefresh: false`, it may be all that the app needs.',
  'axios-refresh-me':
    'With its defaults, a burst of 401s recovers by one refresh, in little more than a kilobyte. It cancels what is in flight during a refresh, so that a slow answer cannot cause a second one.',
  'axios-jwt':
    'It decides from the token itself whether to refresh, before the request is sent, without a state to learn. It includes storage for React Native.',
  'oauth2-client':
    'No dependencies, and more of OAuth in its four kilobytes than authchart has in `authchart/oauth2`: client credentials, introspection, the password grant. It is the shortest way to a token in a script on a server.',
  'supertokens-website':
    'A whole product: servers in several languages, HttpOnly cookies by default, protection against CSRF, claims that the page can check. It patches `fetch` and `XMLHttpRequest`, so that no client has to be connected. It also knows which token a request was sent with.',
  'supabase auth-js':
    'A whole product: passwords, one-time codes, passkeys, social sign-in, second factors, and an SDK of the database around it. Its sign-in works on every platform that Supabase supports.',
  'oidc-client-ts':
    'Far more of OpenID Connect: popups, iframes, session monitoring, front-channel sign-out, discovery of every setting. It needs no other package to sign in.',
  'auth0-spa-js':
    'A whole product, with hosted sign-in, organizations, second factors, and passkeys. In browsers, it stores the refresh token in a worker by default; with authchart that is a choice (`authchart/worker`).',
  'hand-written axios': 'No dependency. Everyone on the team can read all of it in a minute, and change it.',
  'hand-written fetch': 'The same, in fifteen lines.',
}

const SYMBOLS: Readonly<Record<Verdict['outcome'], string>> = { pass: '✓', fail: '✗', 'not claimed': '·' }

const ofPeer = (rows: readonly Row[], peer: Peer) => rows.filter((row) => row.peer === peer.name)

const count = (rows: readonly Row[], outcome: Verdict['outcome']) =>
  rows.filter(({ verdict }) => verdict.outcome === outcome).length

const table = (head: readonly string[], body: readonly (readonly string[])[]): string =>
  [head, head.map((_, index) => (index === 0 ? '---' : ':-:')), ...body]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')

const escaped = (text: string) => text.replace(/[|<>\\]/g, (character) => `\\${character}`)

const label = (peer: Peer) => (peer.home ? `[${peer.name}](${peer.home})` : peer.name)

const summary = (rows: readonly Row[], { versions }: Environment) =>
  table(
    ['library', 'version', 'pass', 'fail', 'not claimed'],
    peers.map((peer) => {
      const own = ofPeer(rows, peer)
      const version = versions[peer.name] ?? ''
      return [
        label(peer),
        version,
        ...(['pass', 'fail', 'not claimed'] as const).map((one) => `${count(own, one)}`),
      ]
    }),
  )

const cell = (rows: readonly Row[], peer: Peer, scenario: Scenario): string => {
  const verdict = rows.find((row) => row.peer === peer.name && row.scenario === scenario.title)?.verdict
  if (!verdict) return '?'
  return verdict.outcome === 'pass' && verdict.option ? '✓*' : SYMBOLS[verdict.outcome]
}

const matrix = (rows: readonly Row[]): string => {
  const themes = [...new Set(scenarios.map(({ theme }) => theme))]
  return themes
    .map((theme) => {
      const body = scenarios
        .filter((scenario) => scenario.theme === theme)
        .map((scenario) => [scenario.title, ...peers.map((peer) => cell(rows, peer, scenario))])
      return `### ${theme[0]?.toUpperCase()}${theme.slice(1)}\n\n${table(['', ...peers.map(({ name }) => name)], body)}`
    })
    .join('\n\n')
}

/** The command that repeats one cell. */
export const commandFor = (peer: string, scenario: string): string => {
  const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
  return `npm run scoreboard -- --peer ${quote(peer)} --only ${quote(scenario)}`
}

const fails = (rows: readonly Row[]): string =>
  peers
    .flatMap((peer) => {
      const own = ofPeer(rows, peer).filter(({ verdict }) => verdict.outcome === 'fail')
      if (own.length === 0) return []
      const items = own.map(({ scenario, verdict }) => {
        const why = verdict.outcome === 'fail' ? verdict.why : ''
        return `- ${scenario}\n\n  ${escaped(why)}\n\n  \`\`\`sh\n  ${commandFor(peer.name, scenario)}\n  \`\`\``
      })
      return [`### ${peer.name}\n\n${items.join('\n')}`]
    })
    .join('\n\n')

const options = (rows: readonly Row[]): string => {
  const used = rows.flatMap(({ peer, verdict }) =>
    verdict.outcome === 'pass' && verdict.option ? [`${peer} with ${verdict.option}`] : [],
  )
  return [...new Set(used)].join('; ') || 'none in this run'
}

/** docs/scoreboard.md. */
export function scoreboardPage(rows: readonly Row[], environment: Environment): string {
  const others = peers.filter(({ name }) => !name.startsWith('authchart/'))
  return `# Scoreboard

What authchart promises about requests and tokens, tried with other libraries. Each scenario runs over real HTTP against the same
server, and looks only at what the server receives and what the caller gets.

<!-- Written by \`npm run scoreboard\`. Change bench/scoreboard/page.ts instead of this file. -->

Run on ${environment.date} with Node ${environment.node} on ${environment.machine}.

## Results

${summary(rows, environment)}

The list is ours, so it asks what authchart was built for, and authchart passes it. It does not rank libraries. It shows what remains
for an app to write, and which surprises to expect. If a result or a set-up is unfair to your library, please open an issue: the
adapters in \`bench/peers/\` are short.

## How to read it

- **✓ pass**: the library does it, with its defaults. **✓\\***: it does it with an option of its documentation (${options(rows)}).
- **✗ fail**: the documentation of the library claims the job, and the outcome is different. A maintainer may have decided that on purpose.
- **· not claimed**: the documentation does not claim the job. The scenario ran all the same, and the library does something else; or the
  library has no function for it.
- Each library runs in the version above, set up [as its documentation says](#how-each-library-is-set-up), in a process of its own.
- [Each fail](#every-fail) has a command that repeats it. \`npm run scoreboard\` repeats the whole page in about 20 minutes.

## Scenarios

${matrix(rows)}

## What the other libraries do better

${others.map(({ name }) => `- **${name}**: ${BETTER[name] ?? ''}`).join('\n')}

Most of them are smaller, too.

## Every fail

${fails(rows)}

## How each library is set up

${table(
  ['library', 'set-up', 'claims'],
  peers.map((peer) => [label(peer), peer.setUp, peer.claims.map((job) => JOBS[job]).join(', ')]),
).replaceAll(':-:', '---')}

Libraries for browsers run in Node with stand-ins for page, storage and cookies (\`bench/peers/browser.ts\`). The server of a product is
played by a few lines that translate between its protocol and the token server.

## What is not here

The [conformance suite](guides/testing.md) of authchart has more scenarios. Those that are missing here look at events of
authchart, at its own options (limits of the queue, concurrency of the release, what follows an ended session), at the refresh token in a cookie, or need minutes of
time. \`bench/scoreboard/left-out.ts\` names each of them with its reason.
`
}
