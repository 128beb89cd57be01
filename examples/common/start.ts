/** Mounts the example into the page, and gives tests access to it. */
import './app.css'
import { api, auth } from './session.ts'

export interface ExampleHandle {
  readonly auth: typeof auth
  readonly api: typeof api
  /** How often each part was rendered, by its name. */
  readonly draws: Record<string, number>
  mount(): void
  unmount(): void
}

declare global {
  var example: ExampleHandle
}

const draws: Record<string, number> = {}

/** Counts one rendering of a part. Returns the value, so that a template can contain the call. */
export function drawn<T>(part: string, value: T): T {
  draws[part] = (draws[part] ?? 0) + 1
  return value
}

/**
 * Mounts the example into `#app`.
 *
 * @param mount renders the app into an element; returns a function that removes it again
 */
export function start(mount: (target: HTMLElement) => () => void): void {
  const place = document.querySelector('#app')
  let target: HTMLElement | undefined
  let unmount: (() => void) | undefined
  globalThis.example = {
    auth,
    api,
    draws,
    mount() {
      target = document.createElement('div')
      place?.append(target)
      unmount = mount(target)
    },
    unmount() {
      unmount?.()
      target?.remove()
    },
  }
  globalThis.example.mount()
}
