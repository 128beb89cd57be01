/** The test files that run in every runtime. They use only what the package exports, and need neither Vitest nor a build. */

const inFolder = (folder: string, names: string) =>
  names.split(/\s+/).map((name) => `${folder}/${name}.test.ts`)

/** The life of a session, on virtual time. */
const SESSION = inFolder(
  'core',
  `access-token challenge coordinator degraded-store dispose foreign-events hostile-store idle-limit late-answers listeners
  merged-tokens own-client persist proof reentrancy refresh refresh-attempts released-requests requests retry revocation rotation
  secrets session-ends sign-in sign-in-answers slow-reads store-failures timers token-response turns user-facts users`,
)

/** What every transport promises, over real HTTP. */
const TRANSPORTS = inFolder('conformance', 'fetch ofetch axios-fetch axios-http undici')

/** How each client behaves beside a session, over real HTTP. */
const CLIENTS = inFolder(
  'transports',
  `abort abort-in-flight axios-attach axios-secrets axios-timeout bodies challenges dpop graphql hold-limits ky listeners methods
  mutation ofetch origins own-authorization redirects refusing-endpoints request-objects responses streams`,
)

/** Stores, and sessions that use them. */
const STORES = [
  ...inFolder('storage', 'define-storage encrypted storage unstorage web'),
  ...inFolder('conformance', 'storage'),
]

/** Locks between processes. */
const PROCESSES = inFolder('coordination', 'define-coordinator file file-turn')

/** Between a browser and an app: the checks of paths, and backends for frontends. */
const SERVERS = [...inFolder('bindings', 'guard return-path'), ...inFolder('server', 'adapters')]

/** All files, by what they test. */
export const GROUPS = {
  session: SESSION,
  transports: TRANSPORTS,
  clients: CLIENTS,
  stores: STORES,
  processes: PROCESSES,
  servers: SERVERS,
} as const

export type Group = keyof typeof GROUPS
