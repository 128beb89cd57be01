// In a process of its own, so that what the server does is not measured with the client.
import { createServer } from 'node:http'

const body = JSON.stringify({ subject: 'ada' })
const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const allowed = request.headers.authorization === 'Bearer at'
  response.writeHead(allowed ? 200 : 401, { 'content-type': 'application/json' }).end(body)
})
server.listen(0, '127.0.0.1', () => process.send?.(`http://127.0.0.1:${server.address().port}`))
