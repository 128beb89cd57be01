import { createApp } from 'vue'
import { auth } from '../shared/session.ts'
import { start } from '../shared/start.ts'
import App from './app.vue'
import { createAuthPlugin } from './auth.ts'

start((target) => {
  const app = createApp(App)
  app.use(createAuthPlugin(auth, { keepExpired: true }))
  app.mount(target)
  return () => app.unmount()
})
