package portals.mongo;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

import org.h2.mvstore.MVStore;

/**
 * Writes to the disk before a command's answer leaves, once for all commands that wait at that moment.
 *
 * <p>A store's commit takes in whatever every thread has done so far. In the midst of a command that would be half of
 * it (a document without its index entry), which is what a start after SIGKILL would then find. So commands share a
 * gate and a commit has it alone; and the store never commits by itself.
 */
final class GroupCommit {

    /** A store of which less than this share of the bytes is live is worth rewriting, in percent. */
    private static final int FILL_RATE = 60;
    private static final int REWRITE_BYTES = 8 * 1024 * 1024;
    private static final int COMPACT_MILLISECONDS = 200;
    /** Nothing is read from a chunk after its last commit but under the gate; and that commit was synced. */
    private static final int RETENTION_MILLISECONDS = 1000;

    private final MVStore store;
    /** Fair, so that a stream of commands cannot keep a commit waiting. */
    private final ReentrantReadWriteLock gate = new ReentrantReadWriteLock(true);
    private final ReentrantLock leader = new ReentrantLock();
    private final AtomicLong executed = new AtomicLong();
    private volatile long durable;
    private volatile boolean ending;
    private long tidied;

    GroupCommit(MVStore store) {
        this.store = store;
        store.setRetentionTime(RETENTION_MILLISECONDS);
    }

    MVStore store() {
        return store;
    }

    /** Run what changes nothing. */
    <T> T read(Supplier<T> command) {
        gate.readLock().lock();
        try {
            return command.get();
        } finally {
            gate.readLock().unlock();
        }
    }

    /** Run what may change something; return, or throw what it throws, when the disk has it. */
    <T> T write(Supplier<T> command) {
        long ticket = 0;
        try {
            gate.readLock().lock();
            try {
                return command.get();
            } finally {
                ticket = executed.incrementAndGet();
                gate.readLock().unlock();
            }
        } finally {
            // A command that fails may have changed something on its way, too.
            await(ticket);
        }
    }

    private void await(long ticket) {
        while (durable < ticket) {
            leader.lock();
            try {
                if (durable < ticket) {
                    flush();
                }
            } finally {
                leader.unlock();
            }
        }
    }

    /** Commit and sync all that was executed until now; by the leader alone. */
    private void flush() {
        try {
            long upTo;
            boolean changed;
            gate.writeLock().lock();
            try {
                upTo = executed.get();
                changed = store.commit() >= 0;
            } finally {
                gate.writeLock().unlock();
            }
            if (changed) {
                store.sync();
            }
            durable = upTo;
        } catch (RuntimeException error) {
            fail(error);
        }
    }

    /** The store has closed itself: no answer may leave, and only a new start can help. */
    private void fail(RuntimeException error) {
        if (ending) {
            throw error;
        }
        System.err.println("mongo: the store cannot be written, ending: " + error.getMessage());
        Runtime.getRuntime().halt(1);
    }

    /** From now on a closed store is no failure. */
    void end() {
        ending = true;
    }

    /** Give space back that overwritten and deleted documents left behind: at most some megabytes a time. */
    void tidy() {
        leader.lock();
        gate.writeLock().lock();
        try {
            if (executed.get() == tidied && tidied > 0) {
                return;
            }
            tidied = executed.get();
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
            gate.writeLock().unlock();
            leader.unlock();
        }
    }

    /** Tidy for ever; returns when the thread is interrupted. */
    void tidyEvery(long milliseconds) {
        try {
            while (!ending) {
                Thread.sleep(milliseconds);
                if (!ending) {
                    tidy();
                }
            }
        } catch (InterruptedException end) {
            Thread.currentThread().interrupt();
        }
    }
}
