import { createApp } from 'vue'
import { auth } from '../common/session.ts'
import { start } from '../common/start.ts'
import App from './app.vue'
import { createAuthPlugin } from './auth.ts'

start((target) => {
  const app = createApp(App)
  app.use(createAuthPlugin(auth, { keepExpired: true }))
  app.mount(target)
  return () => app.unmount()
})
