package portals.mongo;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

import org.h2.mvstore.MVStore;

/**
 * Writes to the disk before a command is answered, once for all commands that wait at that moment.
 *
 * <p>A commit of the store contains what all threads have done so far. In the middle of a command it would contain half of
 * the command (a document without its index entry), and a start after SIGKILL would find that. So commands share a
 * read-write lock, a commit holds it exclusively, and the store never commits by itself.
 */
final class GroupCommit {

    /** A store is compacted if less than this percentage of its bytes is in use. */
    private static final int FILL_RATE = 60;
    private static final int REWRITE_BYTES = 8 * 1024 * 1024;
    private static final int COMPACT_MILLISECONDS = 200;
    /** Chunks are read only under the lock, and the last commit was synced; so old chunks need not be kept longer. */
    private static final int RETENTION_MILLISECONDS = 1000;

    private final MVStore store;
    /** Fair, so that a stream of commands cannot delay a commit for ever. */
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock(true);
    private final ReentrantLock flushing = new ReentrantLock();
    private final AtomicLong executed = new AtomicLong();
    private volatile long durable;
    private volatile boolean ending;
    private long compacted;

    GroupCommit(MVStore store) {
        this.store = store;
        store.setRetentionTime(RETENTION_MILLISECONDS);
    }

    MVStore store() {
        return store;
    }

    /** Run a command that only reads. */
    <T> T read(Supplier<T> command) {
        lock.readLock().lock();
        try {
            return command.get();
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Run a command that may write; returns its result, or throws its exception, when the disk has its changes. */
    <T> T write(Supplier<T> command) {
        long ticket = 0;
        try {
            lock.readLock().lock();
            try {
                return command.get();
            } finally {
                ticket = executed.incrementAndGet();
                lock.readLock().unlock();
            }
        } finally {
            // A command that fails may have changed something before.
            awaitFlush(ticket);
        }
    }

    private void awaitFlush(long ticket) {
        while (durable < ticket) {
            flushing.lock();
            try {
                if (durable < ticket) {
                    flush();
                }
            } finally {
                flushing.unlock();
            }
        }
    }

    /** Commit and sync all commands that have run; call this with the lock `flushing`. */
    private void flush() {
        try {
            long upTo;
            boolean changed;
            lock.writeLock().lock();
            try {
                upTo = executed.get();
                changed = store.commit() >= 0;
            } finally {
                lock.writeLock().unlock();
            }
            if (changed) {
                store.sync();
            }
            durable = upTo;
        } catch (RuntimeException error) {
            fail(error);
        }
    }

    /** The store has closed itself: end the process without answers, because only a restart helps. */
    private void fail(RuntimeException error) {
        if (ending) {
            throw error;
        }
        System.err.println("mongo: the store cannot be written; ending: " + error.getMessage());
        Runtime.getRuntime().halt(1);
    }

    /** The server is stopping: a closed store is no failure from now on. */
    void markEnding() {
        ending = true;
    }

    /** Free space of overwritten and deleted documents: at most some megabytes at a time. */
    void compact() {
        flushing.lock();
        lock.writeLock().lock();
        try {
            if (executed.get() == compacted && compacted > 0) {
                return;
            }
            compacted = executed.get();
            if (store.getFileStore().getChunksFillRate() < FILL_RATE) {
                store.compact(FILL_RATE, REWRITE_BYTES);
                store.commit();
                store.sync();
            }
            if (store.getFillRate() < FILL_RATE) {
                store.compactFile(COMPACT_MILLISECONDS);
                store.setRetentionTime(RETENTION_MILLISECONDS);
                store.sync();
            }
        } catch (RuntimeException error) {
            fail(error);
        } finally {
            lock.writeLock().unlock();
            flushing.unlock();
        }
    }

    /** Compact repeatedly; returns when the thread is interrupted. */
    void compactEvery(long milliseconds) {
        try {
            while (!ending) {
                Thread.sleep(milliseconds);
                if (!ending) {
                    compact();
                }
            }
        } catch (InterruptedException end) {
            Thread.currentThread().interrupt();
        }
    }
}
