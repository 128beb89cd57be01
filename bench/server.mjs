// Runs in its own process, so that the work of the server is not measured with the client's.
import { createServer } from 'node:http'

const body = JSON.stringify({ subject: 'ada' })
const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const allowed = request.headers.authorization === 'Bearer at'
  response.writeHead(allowed ? 200 : 401, { 'content-type': 'application/json' }).end(body)
})
server.listen(0, '127.0.0.1', () => process.send?.(`http://127.0.0.1:${server.address().port}`))
