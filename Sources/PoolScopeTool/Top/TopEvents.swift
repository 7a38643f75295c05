import Dispatch
import Foundation
import Glibc

/// What happens around `poolscope top`.
enum TopEvent: Sendable {
    case keys([TopKey])
    case resized
    /// A second has passed.
    case tick
    /// It is time for the next page.
    case due
    case picture(TopPicture)
    case failed(String)
    /// SIGINT, SIGTERM or SIGHUP.
    case signal(Int32)
    /// The terminal is gone.
    case closed
}

/// Reports keys, signals and the time, until it is released.
final class TopEvents {
    let stream: AsyncStream<TopEvent>
    let sink: AsyncStream<TopEvent>.Continuation
    private let signals: [any DispatchSourceSignal]
    private let timers: [Task<Void, Never>]

    init(interval: Duration) {
        let (stream, sink) = AsyncStream.makeStream(of: TopEvent.self)
        self.stream = stream
        self.sink = sink
        let queue = DispatchQueue(label: "poolscope.top")
        signals = [SIGWINCH, SIGINT, SIGTERM, SIGHUP].map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { sink.yield(number == SIGWINCH ? .resized : .signal(number)) }
            source.resume()
            return source
        }
        timers = [(Duration.seconds(1), TopEvent.tick), (interval, .due)].map { pause, event in
            Task { while (try? await Task.sleep(for: pause)) != nil { sink.yield(event) } }
        }
        Thread.detachNewThread {
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(STDIN_FILENO, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                sink.yield(.keys(TopKey.keys(in: Array(buffer[..<count]))))
            }
            sink.yield(.closed)
        }
    }

    deinit {
        for timer in timers { timer.cancel() }
        for signal in signals { signal.cancel() }
    }
}
