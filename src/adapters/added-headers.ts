/** Whether a header of the backend's answer is added to what was set before. All others replace it. */
export const isAdded = (name: string): boolean => name === 'set-cookie' || name === 'vary'
