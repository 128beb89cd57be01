import { type AuthDevtoolsElement, defineDevtools } from 'authchart/devtools'
import { signIn } from './actions.ts'
import { showControls } from './controls.ts'
import { requests } from './requests.ts'
import { auth, clock, device, environment, oauth } from './session.ts'
import { report } from './status.ts'
import { transports } from './transports.ts'

/** The parts of the page that tests use. */
export interface PlaygroundHandle {
  readonly auth: typeof auth
  readonly clock: typeof clock
  readonly environment: typeof environment
  readonly device: typeof device
  readonly transports: typeof transports
  readonly requests: typeof requests
}

declare global {
  var playground: PlaygroundHandle
}

globalThis.playground = { auth, clock, environment, device, transports, requests }

const panel = document.querySelector<AuthDevtoolsElement>('authchart-devtools')
const place = document.querySelector('#controls')
if (panel) Object.assign(panel, { auth, now: clock.now })
defineDevtools()
if (place) showControls(place)
// This page is the answer of the provider: in its popup, or after a redirect.
if (oauth?.isCallback) void report('Sign in', signIn({ via: 'callback' }))
