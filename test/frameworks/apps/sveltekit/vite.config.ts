import adapter from '@sveltejs/adapter-node'
import { sveltekit } from '@sveltejs/kit/vite'
import { defineConfig } from 'vite'

// `adapter-node` takes its address for https, and the test uses http.
const trustedOrigins = process.env.ORIGINS?.split(',') ?? []
export default defineConfig({ plugins: [sveltekit({ adapter: adapter(), csrf: { trustedOrigins } })] })
