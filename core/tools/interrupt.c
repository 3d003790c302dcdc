/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A thread waits for the signals, since cancelling takes locks and a signal handler may not. */
#include "core/tools/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include "core/tools/output.h"

static sigset_t waited;
static int status;

static gpointer
wait_for_signals (gpointer cancellable)
{
  int signal;

  while (! sigwait (&waited, &signal))
    {
      if (g_atomic_int_get (&status))
        {
          sumi_output_remove_all ();
          _exit (128 + signal);
        }
      g_atomic_int_set (&status, 128 + signal);
      g_cancellable_cancel (cancellable);
    }
  return NULL;
}

void
sumi_interrupt_start (GCancellable *cancellable)
{
  static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

  sigemptyset (&waited);
  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    {
      struct sigaction old;

      if (! sigaction (signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
        sigaddset (&waited, signals[i]);
    }
  pthread_sigmask (SIG_BLOCK, &waited, NULL);
  g_thread_unref (g_thread_new ("signals", wait_for_signals, cancellable));
}

int
sumi_interrupt_get_status (void)
{
  return g_atomic_int_get (&status);
}
