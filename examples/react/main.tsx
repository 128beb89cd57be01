import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { auth } from '../common/session.ts'
import { start } from '../common/start.ts'
import { App } from './app.tsx'

start((target) => {
  const root = createRoot(target)
  root.render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
  return () => root.unmount()
})

if (import.meta.env.DEV) {
  const { showDevtools } = await import('authchart/devtools')
  showDevtools(auth)
}
