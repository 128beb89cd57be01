import { join } from 'node:path'
import type { NextConfig } from 'next'

const root = join(import.meta.dirname, '../..')
export default { turbopack: { root }, outputFileTracingRoot: root } satisfies NextConfig
