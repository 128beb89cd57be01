import react from '@vitejs/plugin-react'
import { defineExample } from '../common/vite.ts'

export default defineExample(import.meta.dirname, [react()])
