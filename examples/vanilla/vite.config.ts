import { defineExample } from '../shared/vite.ts'

export default defineExample(import.meta.dirname, [])
