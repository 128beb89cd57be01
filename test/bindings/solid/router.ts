/** The part of a router that a guard needs. */
import { createSignal } from 'solid-js'

const [path, setPath] = createSignal('/')
export const went: string[] = []

/** Navigates like the address bar. */
export const open = setPath
export { path }

export const useLocation = () => ({
  get pathname() {
    return new URL(path(), 'http://localhost').pathname
  },
  get search() {
    return new URL(path(), 'http://localhost').search
  },
  get hash() {
    return new URL(path(), 'http://localhost').hash
  },
})

export const useNavigate = () => (to: string, options: { replace: boolean }) => {
  went.push(`${to}${options.replace ? ', in its place' : ''}`)
  setPath(to)
}
