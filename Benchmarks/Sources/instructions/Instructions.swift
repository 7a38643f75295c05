private import Dispatch
private import Glibc
private import Load
private import PoolPeer

/// Sends requests one after the other with a bare or an instrumented pool, to be counted by callgrind.
///
/// The requests are sent from the pool's own thread. Between two threads the count depends on who sleeps when, and two
/// runs differ by 5 %. Its main is synchronous: callgrind crashes on Swift programs whose main is not.
@main
struct Instructions {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, ["bare", "instrumented"].contains(arguments[1]), let bytes = Int(arguments[3]),
            let requests = Int(arguments[4])
        else {
            print("usage: instructions bare|instrumented URL BYTES REQUESTS")
            exit(EX_USAGE)
        }
        let ended = DispatchSemaphore(value: 0)
        // Detached: the main actor's thread waits below.
        Task.detached {
            do {
                let peer = try PoolPeer(url: arguments[2], connections: 1, instrumented: arguments[1] == "instrumented")
                let plan = LoadPlan(concurrency: 1, requests: requests, warmup: 0, bytes: bytes)
                _ = try await withTaskExecutorPreference(peer.executor) { try await plan.send(requests, to: peer) }
                await peer.close()
            } catch {
                print(error)
                exit(EXIT_FAILURE)
            }
            ended.signal()
        }
        ended.wait()
    }
}
