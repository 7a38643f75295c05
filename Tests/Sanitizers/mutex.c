// Tells the thread sanitizer of what it cannot see.
//
// When two threads want a Swift Mutex at once, it is locked and unlocked inside libswiftSynchronization and the kernel,
// neither of which is built with the sanitizer. The sanitizer then sees no acquire and no release, and takes all that
// the mutex guards for a race. This library is loaded before that one (LD_PRELOAD), stands in for its two slow paths,
// and reports them. It is for runs under the sanitizer alone, on x86-64 and arm64 Linux.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define SWIFT_METHOD __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *self

// Synchronization._MutexHandle._lockSlow(UInt32) and ._unlockSlow()
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

SWIFT_METHOD void lock_slow(uint32_t thread, SELF) __asm__(LOCK_SLOW);
SWIFT_METHOD void unlock_slow(SELF) __asm__(UNLOCK_SLOW);

static void tell(const char *what, void *mutex) {
    // Absent in programs that were built without the sanitizer.
    void (*sanitizer)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, what);
    if (sanitizer) sanitizer(mutex);
}

SWIFT_METHOD void lock_slow(uint32_t thread, SELF) {
    SWIFT_METHOD void (*next)(uint32_t, SELF) = (SWIFT_METHOD void (*)(uint32_t, SELF))dlsym(RTLD_NEXT, LOCK_SLOW);
    next(thread, self);
    tell("__tsan_acquire", self);
}

SWIFT_METHOD void unlock_slow(SELF) {
    SWIFT_METHOD void (*next)(SELF) = (SWIFT_METHOD void (*)(SELF))dlsym(RTLD_NEXT, UNLOCK_SLOW);
    tell("__tsan_release", self);
    next(self);
}
