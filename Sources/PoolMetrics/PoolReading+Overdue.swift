import HTTPPool

extension PoolReading {
    /// A lease of the pool is overdue when no byte of it has moved for so long, in nanoseconds.
    package var overdueAfter: UInt64 { configuration.series.overdueLease.wholeNanoseconds }
}
