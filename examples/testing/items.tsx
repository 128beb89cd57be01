// items.tsx: a page of an app, with the types that the app declares for its session
import type { Auth } from 'authchart'
import { createAuthContext } from 'authchart/react'
import { type FormEvent, useState } from 'react'

type Credentials = { readonly email: string; readonly pin: string }
type Claims = { readonly roles: readonly string[] }
export const { AuthProvider, Expired, SignedIn, SignedOut, useAuth, useSession } =
  createAuthContext<Auth<Credentials, Claims>>()

export function Items({ load }: { load: () => Promise<readonly string[]> }) {
  const auth = useAuth()
  const isEditor = useSession((session) => session?.claims?.roles.includes('editor') ?? false)
  const [items, setItems] = useState<readonly string[]>([])
  const [email, setEmail] = useState('')
  const [pin, setPin] = useState('')
  const signIn = (event: FormEvent) => {
    event.preventDefault()
    void auth.signIn({ email, pin })
  }
  return (
    <>
      <SignedIn>
        <button type="button" onClick={() => load().then(setItems, () => {})}>
          Load
        </button>
        <p>{items.join(', ')}</p>
        {isEditor && <p>You may edit this list.</p>}
      </SignedIn>
      <Expired>Your session has ended.</Expired>
      <SignedOut>
        <form onSubmit={signIn}>
          <input aria-label="Email" value={email} onChange={({ target }) => setEmail(target.value)} />
          <input aria-label="PIN" value={pin} onChange={({ target }) => setPin(target.value)} />
          <button type="submit">Sign in</button>
        </form>
      </SignedOut>
    </>
  )
}
