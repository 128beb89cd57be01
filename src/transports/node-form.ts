import type { ReplayableBody } from './body.ts'

/** A form of the form-data package, which axios uses in Node: an old-style stream with its own boundary. */
interface NodeForm {
  getHeaders(): { readonly 'content-type'?: string }
  on(event: string, listener: (value: never) => void): unknown
  resume(): void
}

/** Whether a body is such a form. */
export const isNodeForm = (data: unknown): data is NodeForm =>
  typeof data === 'object' && data !== null && 'getHeaders' in data && 'resume' in data

/** Reads a form into memory and keeps its boundary. */
export function readForm(form: NodeForm): Promise<ReplayableBody> {
  return new Promise((resolve, reject) => {
    const chunks: BlobPart[] = []
    form.on('data', (chunk: BlobPart) => chunks.push(chunk))
    form.on('error', reject)
    form.on('end', async () => {
      const contentType = form.getHeaders()['content-type']
      const body = await new Blob(chunks).arrayBuffer()
      resolve({ body, replayable: true, ...(contentType !== undefined && { contentType }) })
    })
    form.resume()
  })
}
