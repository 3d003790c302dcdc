/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A signal handler may take no lock, so it only wakes a thread that cancels. (Blocking the signals and waiting for them
 * in that thread is no way: a library's thread, started before main(), would still die of them.) */
#include "core/tools/interrupt.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include "core/tools/output.h"

/* One key press may reach a process more than once (from the terminal, and from a parent that passes it on). */
#define SAME (G_USEC_PER_SEC / 2)

static sem_t semaphore;
static volatile sig_atomic_t status;

static void
handle (int number)
{
  const int code = errno;

  status = 128 + number;
  sem_post (&semaphore);
  errno = code;
}

static gpointer
wait_for_signals (gpointer cancellable)
{
  gint64 first = 0;

  for (;;)
    {
      while (sem_wait (&semaphore))
        ;
      if (first && g_get_monotonic_time () - first > SAME)
        {
          sumi_output_remove_all ();
          _exit (status);
        }
      if (! first)
        first = g_get_monotonic_time ();
      g_cancellable_cancel (cancellable);
    }
  return NULL;
}

void
sumi_interrupt_start (GCancellable *cancellable)
{
  static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
  struct sigaction action = { .sa_handler = handle, .sa_flags = SA_RESTART };

  sem_init (&semaphore, 0, 0);
  /* the thread may outlive the caller's reference */
  g_thread_unref (g_thread_new ("signals", wait_for_signals, g_object_ref (cancellable)));
  sigemptyset (&action.sa_mask);
  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    {
      struct sigaction old;

      if (! sigaction (signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
        sigaction (signals[i], &action, NULL);
    }
}

int
sumi_interrupt_get_status (void)
{
  return status;
}
