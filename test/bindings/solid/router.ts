/** As much of a router as a guard asks for. */
import { createSignal } from 'solid-js'

const [path, setPath] = createSignal('/')
export const went: string[] = []

/** As the address bar does. */
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
