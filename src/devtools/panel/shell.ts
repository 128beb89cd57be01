import type { Theme } from '../chart/chart-style.ts'
import { button, h, setData, setText } from './dom.ts'
import { createMover } from './mover.ts'
import type { Panel } from './panel.ts'
import type { Scene } from './scene.ts'
import { stateTone } from './state-color.ts'

export interface ShellState {
  readonly title: string
  /** Whether the dock is part of the page, instead of fixed to the bottom of the window. */
  readonly inline: boolean
  /** Whether the dock is visible. */
  readonly shown: boolean
  /** How many other launchers are below this one. */
  readonly launchersBelow: number
}

export interface Shell {
  readonly root: HTMLElement
  setTheme(theme: Theme): void
  update(state: ShellState): void
  /** Shows a panel in the dock. */
  mount(panel: Panel): void
  /** Removes the panel. */
  unmount(panel: Panel | undefined, title: string): void
  /** Shows the state of the session on the launcher. */
  showState(scene: Scene, title: string): void
  /** Moves the focus to the button that reverts the last toggle. */
  focus(open: boolean): void
}

/** Creates the elements around a panel: the launcher in the corner, and the dock with its title bar. */
export function createShell(toggle: () => void): Shell {
  const launcher = button('authchart', { class: 'launcher', 'aria-controls': 'dock' }, toggle)
  const close = button('Close', { class: 'small' }, toggle)
  const heading = h('span')
  const titlebar = h('div', { class: 'titlebar' }, heading, close)
  const waiting = h('p', { class: 'waiting' }, 'No session to look at yet.')
  const dock = h(
    'section',
    { class: 'dock', id: 'dock', 'aria-label': 'authchart devtools' },
    titlebar,
    waiting,
  )
  titlebar.prepend(createMover(dock, titlebar).grip)
  const root = h('div', { class: 'root', lang: 'en' }, launcher, dock)

  return {
    root,
    setTheme: (theme) => setData(root, 'theme', theme),
    update({ title, inline, shown, launchersBelow }) {
      root.classList.toggle('floating', !inline)
      launcher.hidden = shown
      launcher.ariaExpanded = String(shown)
      launcher.style.insetBlockEnd = `${12 + 48 * launchersBelow}px`
      setText(heading, title)
      dock.ariaLabel = `${title} devtools`
      titlebar.hidden = inline
      dock.hidden = !shown
    },
    mount(panel) {
      dock.append(panel.element)
      waiting.hidden = true
    },
    unmount(panel, title) {
      panel?.element.remove()
      waiting.hidden = false
      setText(launcher, title)
      setData(launcher, 'tone', undefined)
    },
    showState({ moment: { active } }, title) {
      setText(launcher, `${title}: ${active[0] ?? ''}`)
      setData(launcher, 'tone', stateTone(active))
    },
    focus: (open) => (open ? close : launcher).focus(),
  }
}
