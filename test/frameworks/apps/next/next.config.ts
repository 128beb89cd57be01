import { join } from 'node:path'
import type { NextConfig } from 'next'

// The packages are in a folder above.
const root = join(import.meta.dirname, '../..')
export default { turbopack: { root }, outputFileTracingRoot: root } satisfies NextConfig
