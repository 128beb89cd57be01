import react from '@vitejs/plugin-react'
import { defineExample } from '../shared/vite.ts'

export default defineExample(import.meta.dirname, [react()])
