/** Creates the buttons from their actions. */
import { bind, isBound } from '../../../examples/oauth/client.ts'
import { type Action, type ActionGroup, groups, sessionActions, signIn, signInAtProvider } from './actions.ts'
import { create } from './dom.ts'
import { usesNetwork } from './origin.ts'
import { requests } from './requests.ts'
import { auth, device, oauth } from './session.ts'
import { report } from './status.ts'
import { TRANSPORTS } from './transports.ts'

const SIGN_IN_HINT = 'A token lives for 20 s and is refreshed after 16 s.'

/** Functions that update the pressed state of the buttons that stay on. */
const toggles = new Set<() => void>()
const showToggles = () => {
  for (const show of toggles) show()
}

function createControl({ id, label, hint, isOn, run }: Action): HTMLElement {
  const button = create('button', { type: 'button' }, label)
  const words = create('p', { id: `${id}-hint`, className: 'hint' }, hint)
  button.dataset.action = id
  button.setAttribute('aria-describedby', words.id)
  if (isOn) toggles.add(() => button.setAttribute('aria-pressed', String(isOn())))
  button.onclick = async () => {
    await report(label, run())
    showToggles()
  }
  return create('div', { className: 'control' }, button, words)
}

function createGroup({ id, title, actions }: ActionGroup, ...before: HTMLElement[]): HTMLElement {
  const heading = create('h3', { id: `${id}-title` }, title)
  const grid = create('div', { className: 'grid' }, ...actions.map(createControl))
  const group = create('div', { className: 'group' }, heading, ...before, grid)
  group.role = 'group'
  group.setAttribute('aria-labelledby', heading.id)
  return group
}

function createSignInForm(): HTMLElement {
  const input = create('input', { name: 'username', value: 'ada', required: true, autocomplete: 'username' })
  const button = create('button', { type: 'submit', className: 'primary' }, 'Sign in')
  const hint = create('p', { id: 'sign-in-hint', className: 'hint' }, SIGN_IN_HINT)
  button.dataset.action = 'sign-in'
  button.setAttribute('aria-describedby', hint.id)
  const form = create('form', {}, create('label', {}, 'User name', input), button, hint)
  form.onsubmit = (event) => {
    event.preventDefault()
    void report('Sign in', signIn({ username: input.value }))
  }
  return form
}

/** The sign-in at a real OpenID provider; or else the reason why there is none. */
function createOpenIdSignIn(): HTMLElement {
  const hint = create('p', { id: 'sign-in-openid-hint', className: 'hint' })
  if (!oauth) {
    hint.textContent = usesNetwork
      ? 'To sign in with a real OpenID provider, open this page on the machine that serves it.'
      : 'A real OpenID provider needs a server: npm run playground.'
    return hint
  }
  hint.textContent = 'At a real provider. DPoP binds tokens to a key.'
  const provider = oauth
  const button = create('button', { type: 'button' }, 'Sign in with OpenID')
  button.dataset.action = 'sign-in-openid'
  button.setAttribute('aria-describedby', hint.id)
  button.onclick = () => void report('Sign in', signInAtProvider(provider))
  const box = create('input', { type: 'checkbox', checked: isBound })
  box.dataset.action = 'bind'
  box.onchange = () => void bind(auth, box.checked)
  const label = create('label', {}, box, create('span', {}, 'DPoP'))
  return create('div', { className: 'openid' }, button, label, hint)
}

function createTransportSwitch(): HTMLElement {
  const choices = TRANSPORTS.map((name) => {
    const input = create('input', { type: 'radio', name: 'transport', value: name })
    input.checked = name === requests.transport
    input.onchange = () => {
      requests.transport = name
    }
    return create('label', {}, input, create('span', {}, name))
  })
  return create(
    'fieldset',
    { className: 'switch' },
    create('legend', {}, 'Sent by'),
    create('div', {}, ...choices),
  )
}

/** Adds all controls to an element. */
export function showControls(place: Element): void {
  const session: ActionGroup = { id: 'session', title: 'Sign in', actions: sessionActions }
  place.append(
    ...[session, ...groups].map((group) => {
      if (group.id === 'session') return createGroup(group, createSignInForm(), createOpenIdSignIn())
      return group.id === 'send' ? createGroup(group, createTransportSwitch()) : createGroup(group)
    }),
  )
  showToggles()
  device.onChange(showToggles)
}
