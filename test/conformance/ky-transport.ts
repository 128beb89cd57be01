import ky from 'ky'
import { authKy } from '../../src/transports/ky.ts'
import { fetchTransport, fetchTransportOf } from './transports.ts'

/** ky calls the `fetch` that `authKy` gives it. Its own retries would show in the server log. */
export const kyTransport = {
  ...fetchTransport,
  name: 'ky',
  create: fetchTransportOf((auth, options) => {
    const api = ky.extend(authKy(auth, options)).extend({ retry: 0, throwHttpErrors: false, timeout: false })
    return (url, init) => api(url, init)
  }),
}
