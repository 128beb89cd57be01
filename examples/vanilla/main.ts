import { start } from '../common/start.ts'
import { createApp } from './app.ts'

start((target) => {
  const { element, end } = createApp()
  target.append(element)
  return end
})
