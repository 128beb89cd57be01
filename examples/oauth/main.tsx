import '../common/app.css'
import { AuthProvider } from 'authchart/react'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { auth, oauth } from './session.ts'

// Once, before anything is rendered: not in an effect.
const problem = oauth.isCallback
  ? await auth.signIn({ via: 'callback' }).then(
      () => '',
      (error) => String(error.message),
    )
  : ''

createRoot(document.querySelector('#app') as Element).render(
  <StrictMode>
    <AuthProvider auth={auth}>
      <App problem={problem} />
    </AuthProvider>
  </StrictMode>,
)

const { showDevtools } = await import('authchart/devtools')
showDevtools(auth)
