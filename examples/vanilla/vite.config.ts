import { defineExample } from '../common/vite.ts'

export default defineExample(import.meta.dirname, [])
