// First, because templates are compiled in the page.
import '@angular/compiler'
import { provideZonelessChangeDetection } from '@angular/core'
import { bootstrapApplication } from '@angular/platform-browser'
import { auth } from '../common/session.ts'
import { start } from '../common/start.ts'
import { App } from './app.ts'
import { provideAuth } from './auth.ts'

start((target) => {
  target.append(document.createElement('app-root'))
  const app = bootstrapApplication(App, {
    providers: [provideZonelessChangeDetection(), provideAuth(auth, { keepExpired: true })],
  })
  return () => void app.then((ref) => ref.destroy())
})
