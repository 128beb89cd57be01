import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineExample } from '../common/vite.ts'

export default defineExample(import.meta.dirname, [svelte({ configFile: false })])
