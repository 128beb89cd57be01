import solid from 'vite-plugin-solid'
import { defineExample } from '../shared/vite.ts'

export default defineExample(import.meta.dirname, [solid()])
