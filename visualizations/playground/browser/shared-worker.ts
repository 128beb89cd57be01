/** A shared worker with the server: all tabs of the site use the same one. */
import { serve } from './serve.ts'

Object.assign(globalThis, {
  onconnect({ ports: [port] }: MessageEvent) {
    if (port) serve(port)
  },
})
