import { useSelector } from '@xstate/react'
import { act, createElement } from 'react'
import { createRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Auth } from '../../src/index.ts'
import { createHarness, tokens } from '../core/auth-setup.ts'
import { deliver } from '../support/deliver.ts'

let renders = 0

/** The content that an app shows of its session. */
function Greeting({ auth }: { auth: Pick<Auth, 'actor' | 'session'> }) {
  renders++
  const busy = useSelector(auth.actor, (snapshot) => snapshot.hasTag('busy'))
  const signedIn = useSelector(auth.actor, (snapshot) => snapshot.hasTag('session'))
  const epoch = useSelector(auth.actor, ({ context }) => context.epoch)
  const name = signedIn ? (auth.session?.subject ?? 'stranger') : 'nobody'
  return createElement('p', null, `${busy ? 'busy' : 'settled'}, for ${name}, epoch ${epoch}`)
}

describe('useSelector of @xstate/react', () => {
  it('renders the session on a server', async () => {
    const { auth } = createHarness({ signedOut: true })
    const html = () => renderToString(createElement(Greeting, { auth }))
    expect(html()).toBe('<p>settled, for nobody, epoch 0</p>')
    await auth.setTokens(tokens(1, { subject: 'ada' }))
    expect(html()).toBe('<p>settled, for ada, epoch 1</p>')
    void auth.signOut()
    expect(html()).toBe('<p>busy, for nobody, epoch 2</p>')
  })
})

/** The part of a document that React needs to render one paragraph. */
class FakeNode extends EventTarget {
  readonly childNodes: FakeNode[] = []
  readonly nodeType: number
  readonly nodeName: string
  readonly namespaceURI = 'http://www.w3.org/1999/xhtml'
  nodeValue = ''
  parentNode: FakeNode | null = null

  constructor(nodeType: number, nodeName: string) {
    super()
    this.nodeType = nodeType
    this.nodeName = nodeName
  }
  get tagName() {
    return this.nodeName
  }
  get ownerDocument(): unknown {
    return fakeDocument
  }
  appendChild(child: FakeNode) {
    child.parentNode = this
    this.childNodes.push(child)
    return child
  }
  insertBefore(child: FakeNode, before: FakeNode) {
    this.childNodes.splice(this.childNodes.indexOf(before), 0, child)
    return child
  }
  removeChild(child: FakeNode) {
    this.childNodes.splice(this.childNodes.indexOf(child), 1)
    return child
  }
  get firstChild(): FakeNode | null {
    return this.childNodes[0] ?? null
  }
  get lastChild(): FakeNode | null {
    return this.childNodes.at(-1) ?? null
  }
  get textContent(): string {
    return this.nodeValue + this.childNodes.map(({ textContent }) => textContent).join('')
  }
  set textContent(text: string) {
    this.childNodes.length = 0
    this.nodeValue = text
  }
}

const fakeDocument = Object.assign(new FakeNode(9, '#document'), {
  createElement: (name: string) => new FakeNode(1, name.toUpperCase()),
  createTextNode: (text: string) => Object.assign(new FakeNode(3, '#text'), { nodeValue: text }),
  activeElement: null,
})

describe('useSelector of @xstate/react, in a page', () => {
  beforeEach(() => {
    renders = 0
    vi.stubGlobal('window', Object.assign(new EventTarget(), { HTMLIFrameElement: class {} }))
    vi.stubGlobal('document', fakeDocument)
    vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
  })
  afterEach(() => {
    vi.unstubAllGlobals()
  })

  it('renders changes, and stops listening when it is unmounted', async () => {
    const { auth, clock, refresh } = createHarness({ initialTokens: tokens(1, { subject: 'ada' }) })
    const container = new FakeNode(1, 'DIV')
    const root = createRoot(container as unknown as Element)
    await act(async () => root.render(createElement(Greeting, { auth })))
    expect(container.textContent).toBe('settled, for ada, epoch 1')

    await act(async () => {
      void auth.refresh()
      await clock.advance(0)
    })
    expect(container.textContent).toBe('busy, for ada, epoch 1')
    await act(async () => {
      refresh.call().resolve(tokens(2))
      await clock.advance(0)
    })
    expect(container.textContent).toBe('settled, for ada, epoch 1')

    await act(async () => auth.signOut())
    expect(container.textContent).toBe('settled, for nobody, epoch 2')

    const before = renders
    await act(async () => deliver(auth, { type: 'store.failed', reason: 'timeout' }))
    expect(renders).toBe(before)
    await act(async () => root.unmount())
    await auth.setTokens(tokens(3))
    expect(renders).toBe(before)
  })
})
