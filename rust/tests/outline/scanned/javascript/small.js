function open() {
  // no line end
  return 1 }
const END = /a/
// the end
