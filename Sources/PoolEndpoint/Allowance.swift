import NIOCore

/// Limits on the resources that peers can use.
struct Allowance: Sendable {
    /// Maximum number of open connections. For a further one, the connection that has been idle for longest is closed.
    var connections = 256
    /// The time from the opening of a connection, or the first byte of a later request, until the last byte of the
    /// response has been taken by the kernel.
    var request = TimeAmount.seconds(30)
    /// How long a connection is kept between two requests; longer than the customary intervals of scrapers.
    var idle = TimeAmount.minutes(5)
    /// ``request`` for a connection that uses one of the last descriptors.
    var requestWhenScarce = TimeAmount.seconds(1)
    /// Maximum size of the request line, and of the whole head.
    var head = HeadBuffer.Limits()
    /// How long, and how much, of what a peer still sends is thrown away after the last response, so that the peer can
    /// read that response before the connection is reset.
    var drain = (time: TimeAmount.seconds(1), bytes: 256 << 10)
    /// What the kernel may keep of responses that a peer does not read, and of requests that are not read yet. Linux
    /// takes it twice.
    var socketBuffers = (send: 256 << 10, receive: 32 << 10)
    /// A peer that asks again within this time after a response waits behind others.
    var turnAfter = TimeAmount.milliseconds(10)
    /// The most of such peers that one turn of the event loop serves.
    var repeatedPerTurn = 8
}
