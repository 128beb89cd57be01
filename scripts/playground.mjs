// Serves the playground: `npm run playground`, `npm run playground -- --port 4000`.
import { parseArgs } from 'node:util'
import { startPlayground } from '../visualizations/playground/server/start.ts'

const { values } = parseArgs({
  options: { port: { type: 'string', default: '5180' }, host: { type: 'string', default: '127.0.0.1' } },
})
try {
  const { url } = await startPlayground({ port: Number(values.port), host: values.host, openid: true })
  console.log(`\nThe playground: ${url}`)
  console.log('Sign in, break something, and watch.')
} catch (error) {
  if (error.code !== 'EADDRINUSE') throw error
  console.error(
    `Port ${values.port} is taken. Choose another: npm run playground -- --port ${Number(values.port) + 1}`,
  )
  process.exitCode = 1
}
