// Loaded before anything else: what Node 20 lacks of what js-libp2p uses.

if (Promise.withResolvers === undefined) {
  Promise.withResolvers = function withResolvers () {
    let resolve
    let reject
    const promise = new this((yes, no) => {
      resolve = yes
      reject = no
    })
    return { promise, resolve, reject }
  }
}
