import type { Theme } from './chart/chart-style.ts'
import { button, h, setData, setText } from './panel/dom.ts'
import { createPanel, type Panel } from './panel/panel.ts'
import { panelStyle } from './panel/panel-style.ts'
import type { Scene } from './panel/scene.ts'
import { toneOf } from './panel/tone.ts'
import type { WatchableAuth } from './recording/recorder.ts'

/** The name of the element. */
export const DEVTOOLS = 'authchart-devtools'

/**
 * `<authchart-devtools>`: what a session does, live. Attributes: `open` shows the panel, `inline` puts it where the element is
 * instead of at the bottom of the window, `theme` is `light` or `dark` and follows the system where it is neither, `name` tells
 * one session from another.
 */
export interface AuthDevtoolsElement extends HTMLElement {
  /** The session to look at. It is recorded from here on, also while the panel is closed, until the element is taken out of the page. */
  auth: WatchableAuth | undefined
  /** The session's clock, in milliseconds since the Unix epoch, where it has one of its own. Default: `Date.now`. */
  now: () => number
  /** Whether the panel is shown; the same as the attribute. */
  open: boolean
}

/** Made on demand: where there is no page, there is no `HTMLElement` to extend. */
export function createElementClass(): CustomElementConstructor {
  const style = new CSSStyleSheet()
  style.replaceSync(panelStyle())

  return class extends HTMLElement implements AuthDevtoolsElement {
    static readonly observedAttributes = ['open', 'inline', 'theme', 'name']
    readonly #colors = matchMedia('(prefers-color-scheme: dark)')
    readonly #launcher = button('authchart', { class: 'launcher', 'aria-controls': 'dock' }, () =>
      this.#toggle(),
    )
    readonly #close = button('Close', { class: 'small' }, () => this.#toggle())
    readonly #heading = h('span')
    readonly #titlebar = h('div', { class: 'titlebar' }, this.#heading, this.#close)
    readonly #waiting = h('p', { class: 'waiting' }, 'No session to look at yet.')
    readonly #dock = h(
      'section',
      { class: 'dock', id: 'dock', 'aria-label': 'authchart devtools' },
      this.#titlebar,
      this.#waiting,
    )
    readonly #root = h('div', { class: 'root' }, this.#launcher, this.#dock)
    #auth: WatchableAuth | undefined
    #now: () => number = Date.now
    #panel: Panel | undefined

    constructor() {
      super()
      const shadow = this.attachShadow({ mode: 'open' })
      shadow.adoptedStyleSheets = [style]
      shadow.append(this.#root)
      for (const type of ['keydown', 'keypress', 'keyup'] as const)
        this.#root.addEventListener(type, (event) => this.#hearKey(event))
    }

    get auth(): WatchableAuth | undefined {
      return this.#auth
    }
    set auth(auth: WatchableAuth | undefined) {
      if (auth === this.#auth) return
      this.#auth = auth
      this.#restart()
    }

    get now(): () => number {
      return this.#now
    }
    set now(now: () => number) {
      if (now === this.#now) return
      this.#now = now
      this.#restart()
    }

    get open(): boolean {
      return this.hasAttribute('open')
    }
    set open(open: boolean) {
      this.toggleAttribute('open', open)
    }

    connectedCallback() {
      // Set before the element was defined, they are properties of its own that hide those of its class.
      for (const name of ['auth', 'now', 'open'] as const) {
        if (!Object.hasOwn(this, name)) continue
        const value = this[name]
        delete (this as Partial<AuthDevtoolsElement>)[name]
        Object.assign(this, { [name]: value })
      }
      this.#colors.addEventListener('change', this.#paint)
      this.#paint()
      this.#arrange()
      this.#restart()
    }

    disconnectedCallback() {
      this.#colors.removeEventListener('change', this.#paint)
      this.#end()
    }

    attributeChangedCallback(name: string) {
      if (!this.isConnected) return
      if (name === 'theme') this.#paint()
      else if (name === 'name') this.#restart()
      else this.#arrange()
    }

    /** What is meant for the panel is no shortcut of the app's. */
    #hearKey(event: KeyboardEvent) {
      if (event.target instanceof HTMLInputElement) event.stopPropagation()
      if (event.type !== 'keydown' || event.key !== 'Escape') return
      const isBack = this.#panel?.goLive() === true
      if (!isBack && (this.#isInline || !this.open)) return
      event.stopPropagation()
      if (!isBack) this.#toggle()
    }

    get #title() {
      const name = this.getAttribute('name')
      return name ? `authchart ${name}` : 'authchart'
    }

    get #isInline() {
      return this.hasAttribute('inline')
    }

    get #theme(): Theme {
      const theme = this.getAttribute('theme')
      if (theme === 'light' || theme === 'dark') return theme
      return this.#colors.matches ? 'dark' : 'light'
    }

    #paint = () => {
      setData(this.#root, 'theme', this.#theme)
      this.#panel?.redraw()
    }

    #arrange() {
      const shown = this.#isInline || this.open
      this.#root.classList.toggle('floating', !this.#isInline)
      this.#launcher.hidden = shown
      this.#launcher.ariaExpanded = String(shown)
      this.#launcher.style.insetBlockEnd = `${12 + 48 * this.#placesTaken()}px`
      setText(this.#heading, this.#title)
      this.#dock.ariaLabel = `${this.#title} devtools`
      this.#titlebar.hidden = this.#isInline
      this.#dock.hidden = !shown
      if (this.#panel) this.#panel.visible = shown
    }

    /** How many sessions have their buttons in the corner already. */
    #placesTaken() {
      const all = [...document.querySelectorAll(`${DEVTOOLS}:not([inline])`)]
      return Math.max(0, all.indexOf(this))
    }

    #toggle() {
      this.open = !this.open
      const next = this.open ? this.#close : this.#launcher
      next.focus()
    }

    #restart() {
      this.#end()
      const auth = this.#auth
      if (!auth || !this.isConnected) return
      this.#panel = createPanel({
        auth,
        name: this.getAttribute('name') ?? 'auth',
        now: () => this.#now(),
        theme: () => this.#theme,
        onDraw: (scene) => this.#tell(scene),
      })
      this.#dock.append(this.#panel.element)
      this.#waiting.hidden = true
      this.#arrange()
    }

    #end() {
      this.#panel?.stop()
      this.#panel?.element.remove()
      this.#panel = undefined
      this.#waiting.hidden = false
      setText(this.#launcher, this.#title)
      setData(this.#launcher, 'tone', undefined)
    }

    #tell({ moment: { active } }: Scene) {
      setText(this.#launcher, `${this.#title}: ${active[0] ?? ''}`)
      setData(this.#launcher, 'tone', toneOf(active))
    }
  }
}
