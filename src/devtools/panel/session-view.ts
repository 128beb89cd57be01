import type { Recording } from '../recording/recording.ts'
import { card, h, setData, setText } from './dom.ts'
import type { Scene, View } from './scene.ts'
import { stateTone } from './state-color.ts'
import { timeToGo } from './words.ts'

/** Shows the facts of the session: the lifetime of its token, its generation and epoch, and its scopes. */
export function createSessionView(): View {
  const state = h('span', { class: 'badge' })
  const subject = h('span', { class: 'subject' })
  const lead = h('span', { class: 'muted' })
  const countdown = h('strong', { class: 'countdown' })
  const meter = h('div', { class: 'meter', 'aria-hidden': 'true' }, h('div', { class: 'level' }))
  const level = meter.firstElementChild as HTMLElement
  const facts = h('dl', { class: 'facts' })
  const scopes = h('ul', { class: 'scopes', 'aria-label': 'Scopes' })
  const { element, header } = card(
    'session',
    'Session',
    h('p', { class: 'life' }, lead, countdown),
    meter,
    facts,
    scopes,
  )
  header.append(subject, state)

  const rows = new Map<string, HTMLElement>()
  function fact(name: string, text: string | undefined) {
    let row = rows.get(name)
    if (!row) {
      row = h('div', { 'data-fact': name }, h('dt', {}, name), h('dd'))
      rows.set(name, row)
      facts.append(row)
    }
    row.hidden = text === undefined
    if (text !== undefined) setText(row.lastElementChild as HTMLElement, text)
  }

  /** When the current token was first seen: the meter is full at that time. */
  let life: { readonly recording: Recording; readonly generation: number; readonly from: number } | undefined

  function showLife({ moment, recording, now }: Scene) {
    const { expiresAt, generation } = moment.session
    if (life?.generation !== generation || life.recording !== recording) {
      const first = recording.moments.find(({ session }) => session.generation === generation) ?? moment
      life = { recording, generation, from: first.at }
    }
    const { from } = life
    const left = expiresAt === undefined ? undefined : Math.max(0, expiresAt - now)
    setText(lead, left === undefined ? 'No token that expires' : left > 0 ? 'Token expires in' : 'Token is')
    setText(countdown, left === undefined ? '' : left > 0 ? timeToGo(left) : 'expired')
    const whole = expiresAt === undefined ? 0 : Math.max(1, expiresAt - from)
    level.style.inlineSize = `${left === undefined ? 0 : Math.min(100, (left / whole) * 100)}%`
    setData(meter, 'low', left !== undefined && left / whole < 0.2 ? '' : undefined)
  }

  return {
    element,
    show(scene) {
      const { moment, now } = scene
      const { session, active } = moment
      const [top = ''] = active
      setText(state, top)
      setData(state, 'tone', stateTone(active))
      setText(subject, scene.subject ?? '')
      subject.hidden = !scene.subject
      showLife(scene)
      const { refreshAt } = session
      fact('Refreshes in', refreshAt === undefined ? undefined : timeToGo(refreshAt - now))
      fact('Generation', String(session.generation))
      fact('Epoch', String(session.epoch))
      fact('Requests held', String(session.held))
      fact('Failed attempts', session.attempt === undefined ? undefined : String(session.attempt))
      fact('Reason', session.reason)
      const granted = session.scope?.split(' ').filter(Boolean) ?? []
      scopes.hidden = granted.length === 0
      if (scopes.dataset.scope !== session.scope) {
        setData(scopes, 'scope', session.scope)
        scopes.replaceChildren(...granted.map((scope) => h('li', {}, scope)))
      }
    },
  }
}
