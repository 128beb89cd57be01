import { defineExample } from '../common/vite.ts'

// The Angular CLI compiles apps ahead of time. Here Angular's compiler runs in the page, so Vite only needs to know that
// the decorators are Angular's kind.
export default defineExample(import.meta.dirname, [
  { name: 'decorators', config: () => ({ oxc: { decorator: { legacy: true } } }) },
])
