import HTTPPool

extension Family {
    /// The library and the process.
    static let about: [Family] = [
        Family(
            "poolscope_build_info",
            .gauge,
            "Version of PoolScope, and of the compiler that built it; always 1.",
            .info { _ in [[("version", PoolScopeVersion.current), ("swift", PoolScopeVersion.compiler)]] }
        ),
        Family(
            "process_cpu_seconds_total",
            .counter,
            "Processor time used, user and system together: its rate is the number of cores in use.",
            .process { $0.process?.cpuSeconds }
        ),
        Family(
            "process_resident_memory_bytes",
            .gauge,
            "Resident memory.",
            .process { $0.process?.residentMemoryBytes }
        ),
        Family(
            "process_open_fds",
            .gauge,
            "File descriptors that are open. Close to process_max_fds: connections fail.",
            .process { $0.process?.openDescriptors }
        ),
        Family(
            "process_max_fds",
            .gauge,
            "File descriptors that may be open (ulimit -n).",
            .process { $0.process?.maxDescriptors }
        ),
        Family(
            "process_start_time_seconds",
            .gauge,
            "When the process started, in seconds since 1970.",
            .process { $0.process?.startTimeSeconds }
        ),
    ]
}
