import Synchronization
package import Tracing

/// A tracer that keeps its spans, and injects them as W3C trace context does.
package final class KeepingTracer: Tracer {
    private let state = Mutex<[Span]>([])

    package init() {}

    /// All spans, in the order of their beginnings.
    package var spans: [Span] { state.withLock { $0 } }

    package enum SpanID: ServiceContextKey {
        package typealias Value = Int
    }

    package final class Span: Tracing.Span {
        package struct Content {
            package var name: String
            package var status: SpanStatus?
            package var attributes = SpanAttributes()
            package var ends = 0
            package var errors = 0
            package var events = 0
        }

        package let id: Int
        package let kind: SpanKind
        package let context: ServiceContext
        package let parent: Int?
        private let content: Mutex<Content>

        init(_ id: Int, _ name: String, _ kind: SpanKind, _ parent: ServiceContext) {
            self.id = id
            self.kind = kind
            self.parent = parent[SpanID.self]
            var context = parent
            context[SpanID.self] = id
            self.context = context
            content = Mutex(Content(name: name))
        }

        package var now: Content { content.withLock { $0 } }
        package var hasEnded: Bool { now.ends > 0 }

        /// All attributes as text.
        package var texts: [String: String] {
            var texts: [String: String] = [:]
            now.attributes.forEach { name, value in
                switch value {
                case .string(let text): texts[name] = text
                case .int64(let number): texts[name] = "\(number)"
                case .double(let number): texts[name] = "\(number)"
                default: texts[name] = "\(value)"
                }
            }
            return texts
        }

        package var operationName: String {
            get { now.name }
            set { content.withLock { $0.name = newValue } }
        }
        package var attributes: SpanAttributes {
            get { now.attributes }
            set { content.withLock { $0.attributes = newValue } }
        }
        package var isRecording: Bool { !hasEnded }
        package func setStatus(_ status: SpanStatus) { content.withLock { $0.status = status } }
        package func addEvent(_: SpanEvent) { content.withLock { $0.events += 1 } }
        package func addLink(_: SpanLink) {}
        package func recordError<Instant: TracerInstant>(
            _: any Error,
            attributes _: SpanAttributes,
            at _: @autoclosure () -> Instant
        ) { content.withLock { $0.errors += 1 } }
        package func end<Instant: TracerInstant>(at _: @autoclosure () -> Instant) { content.withLock { $0.ends += 1 } }
    }

    package func startSpan<Instant: TracerInstant>(
        _ operationName: String,
        context: @autoclosure () -> ServiceContext,
        ofKind kind: SpanKind,
        at _: @autoclosure () -> Instant,
        function _: String,
        file _: String,
        line _: UInt
    ) -> Span {
        state.withLock { spans in
            let span = Span(spans.count, operationName, kind, context())
            spans.append(span)
            return span
        }
    }

    package func forceFlush() {}

    package func extract<Carrier, Extract: Extractor>(_: Carrier, into _: inout ServiceContext, using _: Extract)
    where Extract.Carrier == Carrier {}

    package func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext,
        into carrier: inout Carrier,
        using injector: Inject
    )
    where Inject.Carrier == Carrier {
        guard let id = context[SpanID.self] else { return }
        injector.inject(Self.field(of: id), forKey: "traceparent", into: &carrier)
    }

    /// The injected field of a span.
    package static func field(of id: Int) -> String { "00-0af7651916cd43dd8448eb211c80319c-000000000000000\(id)-01" }
}
