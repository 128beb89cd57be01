import vue from '@vitejs/plugin-vue'
import { defineExample } from '../shared/vite.ts'

export default defineExample(import.meta.dirname, [vue()])
