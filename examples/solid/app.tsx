/** @jsxImportSource solid-js */
import { auth } from '../common/session.ts'
import { AuthProvider, Expired, Restoring, SignedIn, SignedOut } from './auth.ts'
import { Desk } from './desk.tsx'
import { SignInAgain } from './sign-in-again.tsx'
import { SignInForm } from './sign-in-form.tsx'

export function App() {
  return (
    <AuthProvider auth={auth} keepExpired>
      <header>
        <h1>
          authchart <span>in Solid</span>
        </h1>
      </header>
      <main>
        <Restoring>
          <p data-testid="view-restoring" class="restoring" role="status">
            Looking for your session …
          </p>
        </Restoring>
        <SignedOut>
          <section data-testid="view-signed-out" class="card narrow">
            <h2>Sign in</h2>
            <p class="hint">
              Any user name, with the password <code>correct</code>.
            </p>
            <SignInForm />
          </section>
        </SignedOut>
        <SignedIn>
          <Desk />
        </SignedIn>
        <Expired>
          <SignInAgain />
        </Expired>
      </main>
    </AuthProvider>
  )
}
