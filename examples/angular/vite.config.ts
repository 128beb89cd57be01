import { defineExample } from '../common/vite.ts'

// An app made by the Angular CLI is compiled ahead of time. Here Angular's compiler runs in the page, and Vite needs to know
// no more than that decorators are Angular's kind.
export default defineExample(import.meta.dirname, [
  { name: 'decorators', config: () => ({ oxc: { decorator: { legacy: true } } }) },
])
