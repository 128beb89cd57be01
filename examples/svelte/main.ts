import { mount, unmount } from 'svelte'
import { start } from '../common/start.ts'
import App from './app.svelte'

start((target) => {
  const app = mount(App, { target })
  return () => void unmount(app)
})
