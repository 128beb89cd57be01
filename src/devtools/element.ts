import type { Theme } from './chart/chart-style.ts'
import { createPanel, type Panel } from './panel/panel.ts'
import { panelStyle } from './panel/panel-style.ts'
import { createShell } from './panel/shell.ts'
import type { WatchableAuth } from './recording/recorder.ts'

/** The tag name of the element. */
export const DEVTOOLS = 'authchart-devtools'

/**
 * `<authchart-devtools>` shows what a session does, live. Attributes: `open` shows the panel. `inline` makes it part of the page,
 * instead of fixing it to the bottom of the window. `theme` is `light` or `dark`; any other value follows the system. `name`
 * identifies the session if there are several.
 */
export interface AuthDevtoolsElement extends HTMLElement {
  /** The session to show. It is recorded until the element is removed from the page, also while the panel is closed. */
  auth: WatchableAuth | undefined
  /** The clock of the session, if it has its own. Returns milliseconds since the Unix epoch. Default: `Date.now`. */
  now: () => number
  /** Whether the panel is shown; reflects the attribute. */
  open: boolean
}

/** The elements in pages, with what arranges each of them. */
const inPage = new Map<HTMLElement, () => void>()

/** Arranges all elements, because the place of a launcher depends on the others. */
const arrangeAll = () => {
  for (const arrange of inPage.values()) arrange()
}

/** How many other launchers are below that of an element. */
function launchersBelow(element: HTMLElement): number {
  const floating = [...inPage.keys()].filter((other) => !other.hasAttribute('inline'))
  return Math.max(0, floating.indexOf(element))
}

function createStyle(page: Window & Pick<typeof globalThis, 'CSSStyleSheet'>): CSSStyleSheet {
  const style = new page.CSSStyleSheet()
  style.replaceSync(panelStyle())
  return style
}

/** Creates the class of the element. A function, because `HTMLElement` exists in pages only. */
export function createElementClass(): CustomElementConstructor {
  const style = createStyle(window)

  return class extends HTMLElement implements AuthDevtoolsElement {
    static readonly observedAttributes = ['open', 'inline', 'theme', 'name']
    readonly #colors = matchMedia('(prefers-color-scheme: dark)')
    readonly #shell = createShell(() => this.#toggle())
    #auth: WatchableAuth | undefined
    #now: () => number = Date.now
    #panel: Panel | undefined

    constructor() {
      super()
      const shadow = this.attachShadow({ mode: 'open' })
      shadow.adoptedStyleSheets = [style]
      shadow.append(this.#shell.root)
      for (const type of ['keydown', 'keypress', 'keyup'] as const)
        this.#shell.root.addEventListener(type, (event) => this.#handleKey(event))
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
      // Properties that were set before the element was defined hide the accessors of the class: set them again.
      for (const name of ['auth', 'now', 'open'] as const) {
        if (!Object.hasOwn(this, name)) continue
        const value = this[name]
        delete (this as Partial<AuthDevtoolsElement>)[name]
        Object.assign(this, { [name]: value })
      }
      this.#colors.addEventListener('change', this.#paint)
      this.#paint()
      inPage.set(this, () => this.#arrange())
      arrangeAll()
      this.#restart()
    }

    /** A style sheet belongs to one document, so an element that moves to another window loses it. */
    adoptedCallback() {
      const { defaultView } = this.ownerDocument
      if (defaultView && this.shadowRoot) this.shadowRoot.adoptedStyleSheets = [createStyle(defaultView)]
    }

    disconnectedCallback() {
      inPage.delete(this)
      arrangeAll()
      this.#colors.removeEventListener('change', this.#paint)
      this.#end()
    }

    attributeChangedCallback(name: string) {
      if (!this.isConnected) return
      if (name === 'theme') this.#paint()
      else if (name === 'name') this.#restart()
      else arrangeAll()
    }

    /** Handles keys of the panel, and keeps them from the app's shortcuts. */
    #handleKey(event: KeyboardEvent) {
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
      this.#shell.setTheme(this.#theme)
      this.#panel?.redraw()
    }

    #arrange() {
      const shown = this.#isInline || this.open
      this.#shell.update({
        title: this.#title,
        inline: this.#isInline,
        shown,
        launchersBelow: launchersBelow(this),
      })
      if (this.#panel) this.#panel.visible = shown
    }

    #toggle() {
      this.open = !this.open
      this.#shell.focus(this.open)
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
        onDraw: (scene) => this.#shell.showState(scene, this.#title),
      })
      this.#shell.mount(this.#panel)
      this.#arrange()
    }

    #end() {
      this.#panel?.stop()
      this.#shell.unmount(this.#panel, this.#title)
      this.#panel = undefined
    }
  }
}
