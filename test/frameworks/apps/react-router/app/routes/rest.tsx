/** A middleware runs only for paths that a route has. */
export const loader = () => new Response(null, { status: 404 })
export const action = loader
