import type { UserFacts } from '../../core/ports.ts'
import { unsignedJwt } from '../token-server/encoding.ts'

/** What the token server of a bed takes: any `username` whose `password` is `'correct'`. */
export interface TestBedCredentials {
  /** The name of the user, which becomes the `subject` of the session. */
  readonly username: string
  /** The password: `'correct'`, or any other text for a sign-in that is rejected. */
  readonly password: string
}

/** The claims of a session, if the app does not declare them. */
export type AnyClaims = Readonly<Record<string, unknown>>

/** The users of a bed, in the types of the app. */
export interface TestBedUsers<Credentials = TestBedCredentials, Claims = AnyClaims, User = UserFacts> {
  /**
   * Reads the credentials of the app. The token server takes any `username` whose `password` is `'correct'`. Default: the
   * credentials have both.
   */
  readonly credentials?: (credentials: Credentials) => TestBedCredentials
  /** The claims of a user, by an ID token: `auth.session.claims`. Default: none. */
  readonly claims?: (subject: string) => Claims
  /** The facts of a user: `auth.session.user`. Default: none. */
  readonly user?: (subject: string) => User
}

/** What a session knows of its user, as fields of a token response. */
export interface Facts<User = object> {
  readonly subject: string
  readonly id_token?: string
  readonly user?: User
}

/** What a token response says of a user. */
export const factsOf =
  ({ claims, user }: TestBedUsers<never, unknown, unknown>) =>
  (subject: string): Facts => ({
    subject,
    ...(claims && { id_token: unsignedJwt({ sub: subject, ...(claims(subject) as object) }, 'test') }),
    ...(user && { user: user(subject) as object }),
  })

/**
 * Credentials for the token server, from those of the app.
 *
 * @throws TypeError if they have no name
 */
export function readCredentials<Credentials>(
  { credentials: read }: Pick<TestBedUsers<Credentials>, 'credentials'>,
  given: Credentials,
): TestBedCredentials {
  const credentials = read ? read(given) : (given as Partial<TestBedCredentials> | undefined)
  const { username, password } = credentials ?? {}
  if (typeof username === 'string' && typeof password === 'string') return { username, password }
  throw new TypeError(
    'createTestBed: the credentials have no username or no password. Set the option credentials, which reads those of your app.',
  )
}
