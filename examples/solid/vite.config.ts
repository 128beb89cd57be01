import solid from 'vite-plugin-solid'
import { defineExample } from '../common/vite.ts'

export default defineExample(import.meta.dirname, [solid()])
